// Prints Lighthouse's scores of the paths in the arguments, as the superuser in the environment sees them, and when
// the login is usable on a slow network.
import { launch } from 'chrome-launcher'
import lighthouse, { desktopConfig } from 'lighthouse'
import puppeteer from 'puppeteer-core'

const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo']
const { BASE_URL, CHROMIUM, FIRST_SUPERUSER, FIRST_SUPERUSER_PASSWORD } = process.env
const isPrivate = (path) => path.startsWith('/main/')
// Public views first: after the login, some lead to the dashboard.
const paths = process.argv.slice(1).sort((a, b) => isPrivate(a) - isPrivate(b))

const chrome = await launch({
  chromePath: CHROMIUM,
  chromeFlags: ['--headless=new', '--no-sandbox', '--disable-dev-shm-usage'],
})
try {
  const browser = await puppeteer.connect({ browserURL: `http://127.0.0.1:${chrome.port}` })
  const rows = []
  const problems = new Set()
  let isLoggedIn = false
  for (const path of paths) {
    if (isPrivate(path) && !isLoggedIn) {
      await logIn(browser)
      isLoggedIn = true
    }
    for (const device of ['desktop', 'phone']) {
      const { categories, audits } = await measure(path, device)
      const scores = CATEGORIES.map((name) => [name, Math.round(categories[name].score * 100)])
      rows.push({
        path,
        device,
        ...Object.fromEntries(scores),
        LCP: audits['largest-contentful-paint'].displayValue,
        TBT: audits['total-blocking-time'].displayValue,
        CLS: Number(audits['cumulative-layout-shift'].numericValue.toFixed(3)),
      })
      for (const name of CATEGORIES.slice(1)) {
        for (const { id, weight } of categories[name].auditRefs) {
          const { score, title, details } = audits[id]
          if (!weight || score === null || score === 1) continue
          const element = details?.items?.[0]?.node?.snippet ?? ''
          problems.add(`${path}, ${name}: ${title} (${id}) ${element}`)
        }
      }
    }
  }
  console.table(rows)
  for (const problem of problems) console.log(problem)
  console.log(`At 400 ms and 50 kB/s, the login is usable after ${await slowLogin(browser)} s.`)
} finally {
  chrome.kill()
}

async function logIn(browser) {
  const page = await browser.newPage()
  await page.goto(`${BASE_URL}/login`)
  await page.locator('[name=username]').fill(FIRST_SUPERUSER)
  await page.locator('[name=password]').fill(FIRST_SUPERUSER_PASSWORD)
  await page.locator('[type=submit]').click()
  await page.waitForFunction(() => location.pathname.startsWith('/main/'))
  await page.close()
}

/** Returns the seconds until one can type into the login form. */
async function slowLogin(browser) {
  const context = await browser.createBrowserContext()
  const page = await context.newPage()
  await page.emulateNetworkConditions({ latency: 400, download: 50_000, upload: 50_000 })
  const start = Date.now()
  await page.goto(`${BASE_URL}/login`, { waitUntil: 'domcontentloaded' })
  await page.waitForFunction(() => document.activeElement?.matches('[name=username]'))
  return ((Date.now() - start) / 1000).toFixed(1)
}

/** Returns Lighthouse's result, with its usual slow network, and for phones also a slow processor. */
async function measure(path, device) {
  const settings = {
    port: chrome.port,
    logLevel: 'error',
    onlyCategories: CATEGORIES,
    // Keeps the session.
    disableStorageReset: true,
    // robots.txt excludes the views behind the login on purpose.
    skipAudits: isPrivate(path) ? ['is-crawlable'] : null,
  }
  const config = device === 'desktop' ? desktopConfig : undefined
  const { lhr } = await lighthouse(BASE_URL + path, settings, config)
  if (lhr.runtimeError) throw new Error(`${path}: ${lhr.runtimeError.message}`)
  return lhr
}
