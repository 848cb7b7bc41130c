// Unpacks the browser and its libraries below TMPDIR, and prints their paths.
const { default: chromium } = await import('@sparticuz/chromium')
const path = await chromium.executablePath()
console.log(JSON.stringify({ path, libraries: process.env.LD_LIBRARY_PATH ?? '' }))
