// A code on a wall: its drafts and attempts lie under its place, as those of a slip under its code.
import { get } from './request'
import { Wall } from './shapes'

export interface About {
  matter_code?: string
  case_number?: string
  /** Of the matter, to be shown. */
  name: string
}

export function isWall(code: string): boolean {
  return code.startsWith('h/')
}

export function reviewPath(code: string): string {
  return isWall(code) ? `/api/v1/${code}/review` : `/api/v1/e/${code}/review`
}

export function wallAt(place: string, search = ''): Promise<Wall> {
  return get<Wall>(`/api/v1/${place}${search ? `?q=${encodeURIComponent(search)}` : ''}`)
}

export function nameOf({ hall, window: at }: Wall): string {
  return at ? `${hall.name} ${at.name}` : hall.name
}
