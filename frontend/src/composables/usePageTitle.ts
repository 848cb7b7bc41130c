import { ref, watchEffect } from 'vue'

/** The title of the current view, such as the name of a record. Empty until the view sets it. */
export const pageTitle = ref('')

/** Sets the title of the current view. App.vue shows it in the browser's tab, Main.vue as the last breadcrumb. */
export function usePageTitle(title: () => string): void {
  watchEffect(() => (pageTitle.value = title()))
}
