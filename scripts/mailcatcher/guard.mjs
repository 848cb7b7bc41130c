// Protects the mail catcher from websites and other users. "node --import guard.mjs" loads this file.
//
// DOMAIN: further host names of the mail catcher, separated by commas.
// MAILCATCHER_OWNER_ONLY: if set, only the user of this process, and root, may connect (Linux only).
import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { ServerResponse } from 'node:http'
import { Server, isIP } from 'node:net'

function hostname(host) {
  try {
    return new URL(`http://${host}`).hostname
  } catch {
    // Not a host name: undefined is not in the list of names.
  }
}

const names = new Set(['localhost'])
for (const name of (process.env.DOMAIN ?? '').split(',')) names.add(hostname(name.trim()))

/** Returns why a request must be rejected, or undefined. */
function rejection({ method, headers }) {
  const name = headers.host && hostname(headers.host)
  // A website can let its own host name point to this machine (DNS rebinding). An IP address cannot be misused so.
  const isLocal = name && (names.has(name) || name.endsWith('.localhost') || isIP(name.replace(/^\[|\]$/g, '')))
  if (!isLocal) return 'The mail catcher has another host name.'
  const { origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = headers
  if (origin !== undefined && origin !== `http://${headers.host}`) return 'Another origin may not use the mail catcher.'
  // A link to the mail catcher is fine: the linking site cannot read the page.
  const isLink = method === 'GET' && mode === 'navigate' && destination === 'document'
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isLink) {
    return 'Another website may not use the mail catcher.'
  }
}

/** Returns whether a client on this machine runs as the user of this process or as root. */
function isOwner({ remoteAddress, remotePort, localAddress, localPort }) {
  const end = (address = '', port = 0) => {
    const bytes = address.replace('::ffff:', '').split('.').reverse()
    return [Buffer.from(bytes).toString('hex'), port.toString(16).padStart(4, '0')].join(':').toUpperCase()
  }
  const [client, server] = [end(remoteAddress, remotePort), end(localAddress, localPort)]
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const [, from = '', to = '', , , , , uid, , inode] = line.trim().split(/\s+/)
      // The entry of a closed socket has inode 0 and names root as the owner.
      if (from.endsWith(client) && to.endsWith(server)) {
        return inode !== '0' && [0, process.getuid()].includes(Number(uid))
      }
    }
  }
  return false
}

// All events of all servers pass through emit, so no route, socket or plugin is missed.
Server.prototype.emit = function (event, ...values) {
  const [first, second] = values
  if (event === 'connection' && process.env.MAILCATCHER_OWNER_ONLY && !isOwner(first)) {
    first.destroy()
    return true
  }
  if (['request', 'checkContinue', 'checkExpectation', 'upgrade', 'connect'].includes(event)) {
    const reason = rejection(first)
    if (reason && second instanceof ServerResponse) {
      second.writeHead(403, { 'Content-Type': 'text/plain', Connection: 'close' }).end(reason)
      return true
    }
    if (reason) {
      second.end(`HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${reason}`)
      return true
    }
  }
  return EventEmitter.prototype.emit.call(this, event, ...values)
}

const isCors = (name) => /^access-control-/i.test(name)
const { writeHead } = ServerResponse.prototype
ServerResponse.prototype.writeHead = function (status, ...values) {
  for (const name of this.getHeaderNames().filter(isCors)) this.removeHeader(name)
  const kept = values.map((value) => {
    if (Array.isArray(value)) return value.filter((_, index) => !isCors(value[index - (index % 2)]))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).filter(([name]) => !isCors(name)))
  })
  // Protect browsers that do not send Sec-Fetch headers.
  this.setHeader('X-Frame-Options', 'SAMEORIGIN')
  this.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
  return writeHead.call(this, status, ...kept)
}
