// The form as it stands on the page: what is missing, what will be sent, what the citizen confirms.
import { Level, ReviewForm, Tag } from '../../api/shapes'
import { filled, Row } from '../../facts'
import { LEVELS, REFUSALS, words } from '../../words'

export interface Filled {
  level: number
  tags: string[]
  comment: string
  realName: boolean
  agreed: boolean
  name: string
  phone: string
}

export const EMPTY: Filled = {
  level: 0, tags: [], comment: '', realName: false, agreed: false, name: '', phone: '',
}

export function isBad(level: number): boolean {
  return level > 0 && level <= 2
}

/** What stops it from being sent, in the words of the web page; empty if nothing does. */
export function missing(form: Filled): string {
  if (!form.level) return REFUSALS.level_required
  if (isBad(form.level) && !form.tags.length && !form.comment.trim()) return words.reason_required
  if (form.realName && !form.agreed) return '实名要填写个人信息，请先看《隐私说明》并同意；或改为匿名'
  return ''
}

export function toSend(form: Filled): ReviewForm {
  const { level, tags, comment } = form
  const sent: ReviewForm = { level, tags, comment, real_name: form.realName }
  const phone = form.phone.trim()
  if (form.realName) sent.contact = { name: form.name.trim(), ...(phone ? { phone } : {}) }
  return sent
}

export function fromDraft(form: ReviewForm): Partial<Filled> {
  const { level, tags, comment, real_name: realName, contact } = form
  return {
    level, tags, comment, realName, name: contact ? contact.name : '', phone: (contact && contact.phone) || '',
  }
}

export function tagsOf(levels: Level[], level: number): Tag[] {
  const found = levels.find((each) => each.level === level)
  return found ? found.tags : []
}

export function rowsToConfirm(form: Filled, receipt: Row[], tags: Tag[]): Row[] {
  const level = LEVELS.find((each) => each.level === form.level)
  const chosen = tags.filter((tag) => form.tags.includes(tag.code)).map((tag) => tag.text)
  const contact = [words.real_name, form.name.trim(), form.phone.trim() || words.phone_of_receipt]
  return filled([
    { name: words.level, value: level ? level.name : '', level: form.level },
    ...receipt.slice(0, 2),
    { name: words.reasons, value: chosen.join('；') },
    { name: words.your_words, value: form.comment.trim() },
    { name: words.way, value: form.realName ? contact.filter(Boolean).join('，') : words.anonymous },
  ])
}
