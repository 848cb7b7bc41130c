/** Writes CSV files in the browser, and saves files. */

// Spreadsheets read a file without this mark in another encoding.
const BYTE_ORDER_MARK = '\uFEFF'

/** A spreadsheet would calculate such a text. The API quotes the same ones. */
const FORMULA = /^'*[=+@\t\r-]/

function cellText(value: string | number): string {
  const text = typeof value === 'string' && FORMULA.test(value) ? `'${value}` : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export function csvText(rows: readonly (readonly (string | number)[])[]): string {
  const lines = rows.map((cells) => `${cells.map(cellText).join(',')}\r\n`)
  return BYTE_ORDER_MARK + lines.join('')
}

/** Saves a file in the folder for downloads. */
export function saveFile(content: Blob, name: string): void {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser may not have started to read the file yet.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
