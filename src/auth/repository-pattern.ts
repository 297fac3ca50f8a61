/**
 * Which repositories a grant or an access token reaches: a full name in which `*` stands for any characters within a
 * component and `**` as a whole component for any number of components, at least one at the end. Everything else stands for itself.
 * `acme/**` is all of acme, `acme/web/*` what is directly below, `acme/*-test` by the end of the name.
 */
export type RepositoryPattern = string & { readonly __brand: 'RepositoryPattern' }
