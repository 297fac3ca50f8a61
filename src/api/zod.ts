/** zod as the management API uses it: schemas also carry their part of the OpenAPI document. */
import { extendZodWithOpenApi } from '@asteasolutions/zod-to-openapi'
import { z } from 'zod'

extendZodWithOpenApi(z)

export { z }
