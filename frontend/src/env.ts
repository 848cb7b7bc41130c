/** The setting VUE_APP_NAME, read from index.html. The container writes it there when it starts. */
export const appName = document.title
