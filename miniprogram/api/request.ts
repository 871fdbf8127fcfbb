// The only door to the server.
import { Refused } from './refused'
import { known, login, renewed } from './session'
import { Call, once } from './wire'

export { Refused, asRefused } from './refused'

const TRIES = 3

/** `citizen` logs in first; `known` uses the token we happen to have and goes on without it. */
export type As = 'nobody' | 'known' | 'citizen'

export function get<T>(path: string, as: As = 'nobody'): Promise<T> {
  return admitted<T>({ method: 'GET', path }, as)
}

/** Repeated as often as needed, because the key makes all repetitions one. */
export function post<T>(path: string, body: object, key: string, as: As = 'nobody'): Promise<T> {
  return admitted<T>({ method: 'POST', path, body, key }, as)
}

export function newKey(): string {
  let key = Date.now().toString(36)
  while (key.length < 32) key += Math.random().toString(36).slice(2)
  return key.slice(0, 32)
}

async function admitted<T>(call: Call, as: As): Promise<T> {
  const token = as === 'citizen' ? known() || (await login()) : as === 'known' ? known() : ''
  try {
    return await persistent<T>({ ...call, token })
  } catch (thrown) {
    if (!token || !(thrown instanceof Refused) || thrown.status !== 401) throw thrown
    return persistent<T>({ ...call, token: as === 'citizen' ? await renewed(token) : '' })
  }
}

async function persistent<T>(call: Call): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await once<T>(call)
    } catch (thrown) {
      if (tries === TRIES || !(thrown instanceof Refused) || !thrown.passing) throw thrown
      await pause(300 * 2 ** tries)
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds))
}
