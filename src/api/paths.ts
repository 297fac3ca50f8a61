/** Where the management API is; nothing of it moves while its version is the same. */
export const apiPrefix = '/api/v1'
