import type { Page } from '@playwright/test'
import { loginRecoverPassword } from '../../src/client'
import {
  type Account,
  expect,
  linkInMail,
  newEmail,
  openAs,
  PASSWORD,
  pathOfLink,
  test,
} from './fixtures'

const { PROJECT_NAME = '' } = process.env

const TEXTS = {
  en: {
    common: 'Choose a less common password',
    email: 'Choose a password that differs from the email',
    name: 'Choose a password that differs from the name of this site',
  },
  ru: {
    common: 'Выберите менее распространённый пароль',
    email: 'Выберите пароль, отличный от адреса почты',
    name: 'Выберите пароль, отличный от названия сайта',
  },
}

/** Each function opens a form, fills every field except the new password, and returns the account's email. */
const FORMS: Record<string, (page: Page, superuser: Account) => Promise<string>> = {
  'sign-up': async (page) => {
    await page.goto('/sign-up')
    return fillEmail(page)
  },
  'user creation': async (page, superuser) => {
    await openAs(page, superuser, '/main/admin/users/create')
    return fillEmail(page)
  },
  'user editing': async (page, superuser) => {
    await openAs(page, superuser, `/main/admin/users/edit/${superuser.id}`)
    // The form shows the field for the current password only after a new password is entered.
    await page.locator('input[name=password]').fill('x')
    await page.locator('input[name=current_password]').fill(PASSWORD)
    return superuser.email
  },
  profile: async (page, superuser) => {
    await openAs(page, superuser, '/main/profile/password')
    await page.locator('input[name=current_password]').fill(PASSWORD)
    return superuser.email
  },
  'password reset': async (page, { client, email }) => {
    await loginRecoverPassword({ client, path: { email } })
    await page.goto(pathOfLink(await linkInMail(email, 'Password recovery'), '#token='))
    return email
  },
}

async function fillEmail(page: Page): Promise<string> {
  const email = newEmail()
  await page.locator('input[name=email]').fill(email)
  return email
}

// The backend's tests cover which passwords are weak.
async function tryPasswords(page: Page, email: string, texts: (typeof TEXTS)['en']): Promise<void> {
  const field = page.locator('input[name=password], input[name=new_password]')
  const form = page.locator('form', { has: field })
  const send = async (password: string) => {
    await field.fill(password)
    await page.locator('input[name=confirm_password]').fill(password)
    await form.locator('button[type=submit]').click()
  }
  for (const [password, text] of [
    ['password', texts.common],
    [email, texts.email],
    [PROJECT_NAME, texts.name],
  ] as const) {
    await send(password)
    await expect(field).toHaveAccessibleDescription(text)
    await expect(field).toBeFocused()
  }
  await send('an unusual password')
  // After a success, the form is gone or empty.
  const filled = () =>
    page
      .locator('input[name=confirm_password]')
      .evaluateAll((inputs) => inputs.filter((input) => (input as HTMLInputElement).value).length)
  await expect.poll(filled).toBe(0)
}

for (const [form, open] of Object.entries(FORMS)) {
  test(`a weak password shows an error at its field: ${form}`, async ({ page, superuser }) => {
    await tryPasswords(page, await open(page, superuser), TEXTS.en)
  })
}

test('a weak password is reported in Russian', async ({ page, superuser }) => {
  await page.addInitScript(() => localStorage.setItem('locale', 'ru'))
  await tryPasswords(page, await FORMS.profile!(page, superuser), TEXTS.ru)
})
