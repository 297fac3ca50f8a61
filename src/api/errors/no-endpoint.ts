/** Refusals of requests without an endpoint. */
import { apiPrefix } from '../paths.ts'
import { ApiError } from './api-error.ts'

/** `allow` lists the methods of the path. */
export function methodUnsupported(method: string, allow: string): ApiError {
  return new ApiError('UNSUPPORTED', {
    message: `${method} is not supported here; use one of ${allow}`,
    allow,
  })
}

export function pathUnknown(path: string): ApiError {
  return new ApiError('PATH_UNKNOWN', {
    message: `the management API has nothing at ${JSON.stringify(path.slice(0, 255))}; ${apiPrefix}/docs lists its endpoints`,
  })
}
