import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect } from './fixtures'

/** Returns axe's violations in both themes. */
export async function violations(page: Page) {
  const found = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await expect(page.locator('.v-application')).toHaveClass(new RegExp(`v-theme--${colorScheme}`))
    // Rows are dimmed during a slow request.
    await expect(page.locator('.stale')).toHaveCount(0)
    // Wait for animations that end, or axe would measure intermediate colours.
    await page.evaluate(() => {
      const ending = document
        .getAnimations()
        .filter(({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime))
      return Promise.allSettled(ending.map(({ finished }) => finished))
    })
    // The legacy mode needs no second page for the results. It does not support frames of other origins.
    const results = await new AxeBuilder({ page })
      .setLegacyMode()
      .options({ resultTypes: ['violations'] })
      .analyze()
    for (const { id, nodes } of results.violations) {
      // Vuetify puts menus at the end of the body, outside of the landmarks. They get the focus when they open.
      if (id === 'region' && nodes.every(({ html }) => html.startsWith('<div class="v-overlay')))
        continue
      found.push({ colorScheme, id, elements: nodes.map(({ html }) => html) })
    }
  }
  return found
}
