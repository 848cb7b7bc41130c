// Warns about texts that nobody has translated yet. scripts/resource.sh marks them with TODO.

import { readFileSync } from 'node:fs'

const path = 'src/locales/ru.json'
const lines = readFileSync(path, 'utf8').split('\n')
for (const [index, line] of lines.entries()) {
  if (line.includes('"TODO: '))
    console.warn(`${path}:${index + 1} needs a translation: ${line.trim()}`)
}
