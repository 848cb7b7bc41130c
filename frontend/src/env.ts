/** VUE_APP_NAME, from index.html: the container fills it in when it starts. */
export const appName = document.title
