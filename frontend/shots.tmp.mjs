import { chromium } from '@playwright/test'
const BASE = process.env.BASE_URL ?? 'http://localhost'
const OUT = process.env.OUT ?? '/tmp/shots'
const api = async (path, opts = {}, token) => {
    const r = await fetch(BASE + '/api/v1' + path, {
        ...opts,
        headers: {
            ...(token ? { Authorization: 'Bearer ' + token } : {}),
            ...(opts.headers ?? {}),
        },
    })
    return r.json()
}
const login = async (u, p) =>
    (
        await api('/login/access-token', {
            method: 'POST',
            body: new URLSearchParams({ username: u, password: p }),
        })
    ).access_token
const admin = await login('admin@example.com', 'changethis')
const json = (m, b) => ({
    method: m,
    body: JSON.stringify(b),
    headers: { 'Content-Type': 'application/json' },
})
const list = await api('/items/', {}, admin)
if (list.length < 12) {
    const titles = [
        'Buy milk',
        'Water the plants',
        '<b>HTML</b> in a title',
        '😀 Emoji 👩‍👩‍👧‍👦',
        'مرحبا بالعالم',
        'W'.repeat(255),
        'A rather long title that goes on and on until it has to be wrapped somewhere',
        'Привет',
        'Nine',
        'Ten',
        'Eleven',
        'Twelve',
        'Thirteen',
    ]
    for (const t of titles)
        await api(
            '/items/',
            json('POST', {
                title: t,
                description:
                    t.length > 100
                        ? 'd'.repeat(10000)
                        : t === 'Nine'
                          ? null
                          : `Description of ${t}`,
            }),
            admin,
        )
    for (let i = 0; i < 13; i++)
        await api(
            '/users/',
            json('POST', {
                email: `someone${i}@example.com`,
                password: 'a password',
                full_name: i % 3 ? `Some One ${i}` : null,
                is_active: i % 4 !== 0,
            }),
            admin,
        )
}
await api('/users/', json('POST', { email: `empty@example.com`, password: 'a password' }), admin)
const empty = await login('empty@example.com', 'a password')
const items = await api('/items/', {}, admin)
const outside = [
    '/login',
    '/sign-up',
    '/recover-password',
    '/reset-password?token=x',
    '/reset-password',
    '/nothing',
]
const inside = [
    '/main/dashboard',
    '/main/items/all',
    '/main/items/create',
    `/main/items/edit/${items[0].id}`,
    `/main/items/edit/${items.find((i) => i.title.length === 255).id}`,
    '/main/profile/view',
    '/main/profile/edit',
    '/main/profile/password',
    '/main/admin/users/all',
    '/main/admin/users/create',
    '/main/admin/users/edit/1',
]
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
})
const only = process.env.ONLY
for (const [name, opts, dark, locale] of [
    ['1280', { viewport: { width: 1280, height: 800 } }, 'light', 'en-US'],
    [
        '390',
        { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
        'light',
        'en-US',
    ],
    ['1280ru-dark', { viewport: { width: 1280, height: 800 } }, 'dark', 'ru-RU'],
    [
        '390ru-dark',
        { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
        'dark',
        'ru-RU',
    ],
]) {
    if (only && !name.match(only)) continue
    const ctx = await browser.newContext({ ...opts, colorScheme: dark, locale })
    const page = await ctx.newPage()
    page.on(
        'console',
        (m) =>
            ['error', 'warning'].includes(m.type()) &&
            console.log(name, page.url(), m.type(), m.text().slice(0, 300)),
    )
    page.on('pageerror', (e) => console.log(name, page.url(), 'PAGEERROR', e.message))
    const shot = async (path, label) => {
        await page.goto(BASE + path)
        await page.waitForLoadState('networkidle')
        await page.waitForTimeout(400)
        const overflow = await page.evaluate(
            () => document.documentElement.scrollWidth - innerWidth,
        )
        if (overflow > 0) console.log('OVERFLOW', name, path, overflow)
        await page.screenshot({
            path: `${OUT}/${name}_${label ?? path.slice(1).replace(/[/?=]/g, '-')}.png`,
        })
    }
    for (const p of outside) await shot(p)
    await page.evaluate((t) => sessionStorage.setItem('token', t), admin)
    for (const p of inside) await shot(p)
    await page.evaluate((t) => sessionStorage.setItem('token', t), empty)
    await shot('/main/items/all', 'items-empty')
    await shot('/main/admin/users/all', 'forbidden')
    await ctx.close()
}
await browser.close()
