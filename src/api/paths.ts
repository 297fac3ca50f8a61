/** The path of the management API. The paths below it do not change within a version. */
export const apiPrefix = '/api/v1'
