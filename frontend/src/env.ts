/** The setting VUE_APP_NAME, read from index.html: the container inserts it there when it starts. */
export const appName = document.title
