/** The token endpoint, which the route table and every challenge name. */
export const tokenPath = '/v2/token'
export const tokenRouteId = 'token'
/** The query parameter that requests a refresh token if it is `true`. */
export const offlineParameter = 'offline_token'
