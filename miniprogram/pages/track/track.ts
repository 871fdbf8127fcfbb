import { halves } from '../../api/codes'
import { whenBack } from '../../api/network'
import { open, opened } from '../../api/opened'
import { asRefused, get, newKey, post } from '../../api/request'
import { Message, Order, Pressure, Review, Step, Track } from '../../api/shapes'
import { grievanceRows, orderRows, reviewRows, Row } from '../../facts'
import { isLarge, turnTo } from '../../look'
import { isPast } from '../../when'
import { ANSWERED, FOLLOWED, REFUSALS, STATES, words } from '../../words'

const AT_THE_AGENCY = ['assigned', 'accepted', 'planned', 'asking', 'returned']
type Place = 'verdictTold' | 'moreTold' | 'talkTold' | 'recallTold'
type Verdict = { satisfied: boolean; comment: string }
const STANDS = ['standing', 'awaiting_reason']

Page({
  data: {
    words, large: false, state: 'loading' as 'loading' | 'failed' | 'track', told: '', verdictTold: '',
    moreTold: '', busy: false, title: '', stateName: '', overdue: false, order: [] as Row[], steps: [] as Step[],
    mine: [] as Row[], rated: true, standing: '', awaiting: '' as string, answer: '', maySupplement: false, more: '',
    halves: ['', ''], mayUndo: false, asksMore: false, next: '', messages: [] as Message[], mayTalk: false, text: '',
    talkTold: '', desk: '', recall: '', recallTold: '',
  },
  queryCode: '',
  said: { what: '', key: '' },
  away: false,
  stop: () => {},

  async onLoad() {
    const found = opened('track')
    this.queryCode = found ? found.queryCode : ''
    this.stop = whenBack(() => this.data.state === 'failed' && this.load())
    await this.load()
  },

  onShow() {
    this.setData({ large: isLarge() })
    if (this.away) void this.load()
    this.away = false
  },

  onUnload() {
    this.stop()
  },

  async onPullDownRefresh() {
    await this.load()
    void wx.stopPullDownRefresh()
  },

  async load() {
    this.setData({ state: 'loading', told: '', halves: halves(this.queryCode) })
    try {
      this.show(await get<Track>(this.path()))
    } catch (thrown) {
      const refused = asRefused(thrown)
      if (refused.code === 'unknown_query_code' && (await this.isPressure())) return
      this.setData({ state: 'failed', told: refused.told })
    }
  },

  /** What was reported has a code of its own, and is looked up in the same place. */
  async isPressure(): Promise<boolean> {
    try {
      await get<Pressure>(`/api/v1/pressure/${this.queryCode}`)
    } catch {
      return false
    }
    open('pressure', { queryCode: this.queryCode }, true)
    return true
  },

  path(): string {
    return `/api/v1/track/${this.queryCode}`
  },

  show(track: Track) {
    const { review, grievance, work_order: order, awaiting_you: awaiting, messages, rates, call_back: asked } = track
    const steps = order ? order.steps : []
    const answers = steps.filter((step) => step.what === ANSWERED || step.what === FOLLOWED)
    this.setData({
      state: 'track', title: order ? words.progress : words.yours, rated: Boolean(review),
      mine: review ? reviewRows(review) : grievance ? grievanceRows(grievance) : [],
      stateName: order ? STATES[order.state] : '', order: order ? orderRows(order) : [], steps,
      overdue: Boolean(order && AT_THE_AGENCY.includes(order.state) && isPast(order.due_at)),
      asksMore: track.questionnaire === 'open',
      awaiting: awaiting || '', answer: answers.length ? answers[answers.length - 1].words : '',
      recall: asked ? asked.question : '', desk: order && rates.includes('desk') ? order.desk || '' : '',
      ...this.ofTalk(order, messages, review), ...this.ofReview(review),
    })
  },

  ofTalk(order: Order | null, messages: Message[], review?: Review) {
    const seen = !review || isPast(review.undo_until)
    return { next: order ? order.next_step : '', messages, mayTalk: Boolean(order && order.open && seen) }
  },

  ofReview(review?: Review) {
    if (!review) return { standing: '', mayUndo: false, maySupplement: false }
    const stands = STANDS.includes(review.state)
    const told: Partial<Record<Review['state'], string>> = {
      excluded: words.excluded, undone: words.undone,
    }
    return {
      standing: told[review.state] || '', mayUndo: stands && !isPast(review.undo_until),
      maySupplement: stands && review.supplement === null && isPast(review.undo_until),
    }
  },

  async onVerdict(event: WechatMiniprogram.CustomEvent<Verdict & { deskSatisfied: boolean | null }>) {
    const { satisfied, comment, deskSatisfied } = event.detail
    if (!satisfied && !comment.trim()) return this.setData({ verdictTold: words.verdict_reason })
    const ofDesk = deskSatisfied === null ? {} : { desk_satisfied: deskSatisfied }
    await this.say('confirmation', { satisfied, comment, ...ofDesk }, 'verdictTold')
  },

  async onRecall(event: WechatMiniprogram.CustomEvent<Verdict>) {
    await this.say('call-back', event.detail, 'recallTold')
  },

  onText(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.setData({ text: event.detail.value, talkTold: '' })
  },

  async onSend() {
    if (!this.data.text.trim()) return this.setData({ talkTold: REFUSALS.blank_text })
    if (await this.say('messages', { text: this.data.text }, 'talkTold')) this.setData({ text: '' })
  },

  onMore(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.setData({ more: event.detail.value })
  },

  async supplement() {
    if (!this.data.more.trim()) return this.setData({ moreTold: REFUSALS.blank_text })
    await this.say('supplement', { comment: this.data.more }, 'moreTold')
  },

  /** What was typed stays where it is until the server has it. */
  async say(what: string, body: object, place: Place): Promise<boolean> {
    if (this.data.busy) return false
    this.setData({ busy: true, verdictTold: '', moreTold: '', talkTold: '', recallTold: '' })
    try {
      this.show(await post<Track>(`${this.path()}/${what}`, body, this.keyFor(what, body)))
      // The same words once more are another act, now that the first is known to have been done.
      this.said = { what: '', key: '' }
      this.setData({ busy: false })
      return true
    } catch (thrown) {
      this.tell(place, asRefused(thrown).told)
    }
    this.setData({ busy: false })
    return false
  },

  tell(place: Place, told: string) {
    if (place === 'moreTold') this.setData({ moreTold: told })
    else if (place === 'talkTold') this.setData({ talkTold: told })
    else if (place === 'recallTold') this.setData({ recallTold: told })
    else this.setData({ verdictTold: told })
  },

  /** The same words pressed again are the same act: the first may have got through unseen. */
  keyFor(what: string, body: object): string {
    const said = what + JSON.stringify(body)
    if (this.said.what !== said) this.said = { what: said, key: newKey() }
    return this.said.key
  },

  pressed() {
    open('pressure', { path: `/api/v1/track/${this.queryCode}` })
  },

  askMore() {
    this.away = true
    open('questionnaire', { queryCode: this.queryCode })
  },

  goUndo() {
    open('thanks', { queryCode: this.queryCode, asMine: false })
  },

  claim() {
    open('claim', { queryCode: this.queryCode })
  },

  onTurn(event: WechatMiniprogram.CustomEvent<{ large: boolean }>) {
    turnTo(this, event.detail.large)
  },
})
