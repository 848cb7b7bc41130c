/** Locks for all tabs of the web app. */

const LEASE_MS = 5_000
const POLL_MS = 50
/** Other processes of the browser see a change of localStorage after a few milliseconds. */
const SETTLE_MS = 100

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Runs a function in one tab at a time. Tells it whether this tab had to wait for another one. */
export async function inOneTab(
  name: string,
  run: (hasWaited: boolean) => Promise<void>,
): Promise<void> {
  // Over plain HTTP, browsers have locks only at localhost.
  if (!('locks' in navigator)) return withLease(name, run)
  const isFree = await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
    if (lock) await run(false)
    return !!lock
  })
  if (!isFree) await navigator.locks.request(name, () => run(true))
}

async function withLease(name: string, run: (hasWaited: boolean) => Promise<void>): Promise<void> {
  const id = String(Math.random())
  let hasWaited = false
  for (;;) {
    // The lease ends by itself, in case its tab is closed.
    const [holder, until] = (localStorage.getItem(name) ?? '').split(' ')
    if (Number(until) > Date.now()) {
      if (holder === id) break // Of several tabs that took it at once, the last one has it.
      hasWaited = true
      await sleep(POLL_MS)
    } else {
      localStorage.setItem(name, `${id} ${Date.now() + LEASE_MS}`)
      await sleep(SETTLE_MS)
    }
  }
  try {
    await run(hasWaited)
  } finally {
    localStorage.removeItem(name)
  }
}
