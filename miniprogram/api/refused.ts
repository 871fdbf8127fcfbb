import { REFUSALS } from '../words'
import { Problem } from './shapes'

export type Kind = 'offline' | 'slow' | 'busy' | 'login' | 'refused' | 'broken'

const TOLD: Record<Exclude<Kind, 'refused'>, string> = {
  offline: '网络不通，请检查网络后再试',
  slow: '网络太慢，没有等到回音，请再试一次',
  busy: REFUSALS.unavailable,
  login: '微信登录没有成功，请稍后再试',
  broken: '这是我们的问题，不是您的。请稍后再试',
}

/** Why a call failed, in words for the citizen. Not an Error: DevTools' ES5 breaks `instanceof` of those. */
export class Refused {
  readonly code: string
  readonly status: number
  readonly told: string
  readonly fields: Problem['errors']

  constructor(readonly kind: Kind, problem?: Partial<Problem>) {
    this.status = (problem && problem.status) || 0
    this.code = (problem && problem.code) || kind
    this.fields = (problem && problem.errors) || []
    this.told = this.words((problem && problem.detail) || '')
  }

  /** Nothing says that it will not go through the next time. */
  get passing(): boolean {
    return this.kind === 'offline' || this.kind === 'slow' || this.kind === 'busy'
  }

  private words(detail: string): string {
    if (this.fields.length) return this.fields.map((fault) => fault.detail).join('；')
    if (this.kind === 'refused') return detail || TOLD.broken
    if (this.kind === 'busy' && this.code !== 'busy') return detail || TOLD.busy
    return TOLD[this.kind]
  }
}

export function refusalOf(status: number, body: unknown): Refused {
  const problem = typeof body === 'object' && body !== null ? (body as Partial<Problem>) : {}
  if (status >= 502 && status <= 504) return new Refused('busy', { ...problem, status })
  if (status >= 500) return new Refused('broken', { status })
  return new Refused('refused', { ...problem, status })
}

/** Anything that was thrown, as a refusal; a fault of our own is not shown in its own words. */
export function asRefused(thrown: unknown): Refused {
  return thrown instanceof Refused ? thrown : new Refused('broken')
}
