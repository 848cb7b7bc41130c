/** VUE_APP_NAME, from index.html: the server inserts it when it starts. */
export const appName = document.title
