/** Where tokens are made: known to the route table and to every challenge. */
export const tokenPath = '/v2/token'
export const tokenRouteId = 'token'
/** With `true` a refresh token comes along. */
export const offlineParameter = 'offline_token'
