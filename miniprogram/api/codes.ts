// What a scan, a link or a person's fingers can mean.
import { QUERY_CODE_LENGTH } from '../words'

export type Meant =
  | { page: 'review'; code: string }
  | { page: 'track'; queryCode: string }
  | { page: 'hall'; place: string }

const CROCKFORD = /^[0-9A-HJKMNP-TV-Z]+$/
const RECEIPT_CODE = /^[\w-]{20,32}$/
const ADDRESS = /^https?:\/\/[^/]+\/(e|t)\/([^/?#]+)/
const WALL = /^(?:https?:\/\/[^/]+\/)?h\/([^/?#]+)(?:\/([^/?#]+))?$/

/** An address from a slip or a wall, a scene from a WeChat code, or a code alone. */
export function meant(text: string): Meant | null {
  const wall = WALL.exec(text.trim())
  if (wall) return { page: 'hall', place: ['h', ...wall.slice(1).filter(Boolean).map(segment)].join('/') }
  const address = ADDRESS.exec(text.trim())
  if (address) return address[1] === 'e' ? review(address[2]) : track(address[2])
  const queryCode = typedQueryCode(text)
  return queryCode ? { page: 'track', queryCode } : review(text.trim())
}

/** Any case, O for 0, I and L for 1, with or without separators; empty if it is none. */
export function typedQueryCode(text: string): string {
  const plain = text.replace(/%20|[\s－—-]/g, '').toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1')
  return plain.length === QUERY_CODE_LENGTH && CROCKFORD.test(plain) ? plain : ''
}

export function grouped(queryCode: string): string {
  return (queryCode.match(/.{1,4}/g) || []).join(' ')
}

/** Two lines where one is too short for it. */
export function halves(queryCode: string): string[] {
  return [grouped(queryCode.slice(0, 8)), grouped(queryCode.slice(8))]
}

/** Of an address it is encoded already, of a scene it is not. */
function segment(text: string): string {
  try {
    return encodeURIComponent(decodeURIComponent(text))
  } catch {
    return encodeURIComponent(text)
  }
}

function review(code: string): Meant | null {
  return RECEIPT_CODE.test(code) ? { page: 'review', code } : null
}

function track(text: string): Meant | null {
  const queryCode = typedQueryCode(text)
  return queryCode ? { page: 'track', queryCode } : null
}
