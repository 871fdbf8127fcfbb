// Sends what was pressed: at once, and again whenever the network is back.
import { Attempt, Draft, draftOf, drop, keep, prune, waiting } from './drafts'
import { asRefused, newKey, post, Refused } from './request'
import { ReviewForm, ReviewTaken } from './shapes'
import { claimLater, claimPending } from './mine'
import { keepForUndo } from './undo'
import { isWall, reviewPath } from './walls'

type Listener = (code: string, taken: ReviewTaken, asMine: boolean) => void

const GOT_THROUGH = ['already_reviewed', 'idempotency_conflict']

const sending = new Map<string, Promise<ReviewTaken>>()
const listeners = new Set<Listener>()

export function onSent(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Keeps it first: whatever happens now, nothing that was typed is lost. */
export function submit(code: string, form: ReviewForm, asMine: boolean): Promise<ReviewTaken> {
  const before = draftOf(code)
  const last = before && before.sending
  const same = last && JSON.stringify(last.form) === JSON.stringify(form)
  const key = (isWall(code) && keyOf(before)) || newKey()
  const earlier = [...(before ? before.earlier : []), ...(last && !same ? [last] : [])]
  keep(code, { form, remember: asMine, earlier, sending: same ? last : { form, key } })
  return send(code)
}

/** A slip lets itself be rated once; a wall does not: there one visit is known by its key. */
function keyOf(draft: Draft | null): string {
  const attempts = draft ? [...draft.earlier, ...(draft.sending ? [draft.sending] : [])] : []
  return attempts.length ? attempts[0].key : ''
}

export function send(code: string): Promise<ReviewTaken> {
  const running = sending.get(code)
  if (running) return running
  const started = deliver(code).then(
    (taken) => (sending.delete(code), taken),
    (thrown) => {
      sending.delete(code)
      throw thrown
    },
  )
  sending.set(code, started)
  return started
}

async function deliver(code: string): Promise<ReviewTaken> {
  const draft = draftOf(code)
  if (!draft || !draft.sending) throw new Refused('broken')
  try {
    const taken = await either(code, draft, draft.sending)
    drop(code)
    keepForUndo(taken, taken.code || code)
    if (draft.remember) claimLater(taken.query_code)
    listeners.forEach((listener) => listener(code, taken, draft.remember))
    return taken
  } catch (thrown) {
    const refused = asRefused(thrown)
    if (!refused.passing) keep(code, { ...draft, sending: undefined, refused: refused.told })
    throw refused
  }
}

/** When an earlier attempt got through unseen, its answer is the one that counts. */
async function either(code: string, draft: Draft, attempt: Attempt): Promise<ReviewTaken> {
  const path = reviewPath(code)
  const attempts = [...draft.earlier, attempt]
  for (let last = attempts.length - 1; ; last -= 1) {
    try {
      const { form, key } = attempts[last]
      return await post<ReviewTaken>(path, form, key, draft.remember ? 'known' : 'nobody')
    } catch (thrown) {
      const taken = thrown instanceof Refused && GOT_THROUGH.includes(thrown.code)
      if (!taken || last === 0) throw thrown
    }
  }
}

/** Called at the start and when the network is back; what fails again waits again. */
export function flush(): void {
  prune()
  waiting().forEach((code) => void send(code).catch(() => undefined))
  void claimPending().catch(() => undefined)
}
