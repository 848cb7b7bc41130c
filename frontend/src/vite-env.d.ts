interface ImportMetaEnv {
  readonly VUE_APP_DOMAIN_DEV: string
  readonly VUE_APP_DOMAIN_STAG: string
  readonly VUE_APP_DOMAIN_PROD: string
  readonly VUE_APP_NAME: string
  readonly VUE_APP_ENV: 'development' | 'staging' | 'production'
}
