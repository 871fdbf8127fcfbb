// Times as the server writes them, in UTC+8: read off, not converted.
const TIME = /^(\d+)-(\d+)-(\d+)T(\d+:\d+)/

export function day(time: string): string {
  const [, year, month, date] = TIME.exec(time) || []
  return year ? `${year}年${Number(month)}月${Number(date)}日` : ''
}

export function moment(time: string): string {
  const found = TIME.exec(time)
  return found ? `${found[1]}-${found[2]}-${found[3]} ${found[4]}` : ''
}

/** The hour alone where the day is the same. */
export function until(time: string, from: string): string {
  return time.slice(0, 10) === from.slice(0, 10) ? time.slice(11, 16) : moment(time)
}

export function isPast(time: string): boolean {
  return Date.parse(time) <= Date.now()
}
