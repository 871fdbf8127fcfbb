import { draftOf, drop, keep, recall } from '../../api/drafts'
import { whenBack } from '../../api/network'
import { open, opened } from '../../api/opened'
import { onSent, send, submit } from '../../api/outbox'
import { asRefused, get, Refused } from '../../api/request'
import { Invitation, Level, ReviewForm, ReviewTaken, Tag } from '../../api/shapes'
import { About, isWall, wallAt } from '../../api/walls'
import { receiptRows, Row, wallRows } from '../../facts'
import { isLarge, showError, showTop, turnTo } from '../../look'
import { day } from '../../when'
import { words } from '../../words'
import { EMPTY, Filled, fromDraft, isBad, missing, rowsToConfirm, tagsOf, toSend } from './form'

type State = 'loading' | 'failed' | 'open' | 'reviewed' | 'closed'

Page({
  data: {
    words, large: false, state: 'loading' as State, step: 'form' as 'form' | 'confirm' | 'unsent',
    told: '', busy: false, receipt: [] as Row[], openUntil: '', tagsShown: [] as Tag[], bad: false,
    confirming: [] as Row[], remember: true, form: EMPTY,
  },
  code: '',
  about: null as About | null,
  levels: [] as Level[],
  stops: [] as (() => void)[],

  async onLoad() {
    const found = opened('review')
    this.code = found ? found.code : ''
    this.about = (found && found.about) || null
    this.stops = [
      onSent((code, taken, asMine) => code === this.code && this.thank(taken.query_code, asMine)),
      whenBack(() => this.data.state === 'failed' && this.load()),
    ]
    await this.load()
  },

  onShow() {
    this.setData({ large: isLarge(), 'form.agreed': wx.getStorageSync<boolean | ''>('agreed') === true })
  },

  onUnload() {
    this.stops.forEach((stop) => stop())
  },

  async load() {
    this.setData({ state: 'loading', told: '' })
    try {
      this.resume(await (isWall(this.code) ? this.loadWall() : this.loadReceipt()))
    } catch (thrown) {
      this.setData({ state: 'failed', told: asRefused(thrown).told })
    }
  },

  async loadReceipt(): Promise<State> {
    const invitation = await get<Invitation>(`/api/v1/e/${this.code}`)
    this.levels = invitation.levels
    this.setData({ receipt: receiptRows(invitation.receipt), openUntil: day(invitation.open_until) })
    return invitation.state
  },

  async loadWall(): Promise<State> {
    const wall = await wallAt(this.code)
    this.levels = wall.levels
    this.setData({ receipt: wallRows(wall, this.about) })
    return 'open'
  },

  /** Where this phone left off: a draft, or one that was pressed and never answered. */
  resume(state: State) {
    const draft = draftOf(this.code)
    if (draft && (state === 'open' || draft.sending)) {
      this.change({ ...fromDraft(draft.form) })
      this.setData({ state: 'open', remember: draft.remember, told: draft.refused || '' })
      if (draft.sending) void this.deliver(() => send(this.code))
    } else {
      this.setData({ state })
    }
  },

  change(changed: Partial<Filled>) {
    const form = { ...this.data.form, ...changed }
    this.setData({
      form, bad: isBad(form.level), tagsShown: tagsOf(this.levels, form.level),
    })
  },

  /** Typed on the page: kept at once. */
  fill(changed: Partial<Filled>) {
    this.change(changed)
    this.setData({ told: '' })
    const draft = draftOf(this.code)
    const earlier = draft ? draft.earlier : []
    keep(this.code, { form: this.form(), remember: this.data.remember, earlier })
  },

  form(): ReviewForm {
    const { matter_code, case_number } = this.about || {}
    return { ...toSend(this.data.form), ...(matter_code && { matter_code }), ...(case_number && { case_number }) }
  },

  onLevel(event: WechatMiniprogram.CustomEvent<{ value: number }>) {
    const level = event.detail.value
    this.fill(level === this.data.form.level ? {} : { level, tags: [] })
  },

  onTags(event: WechatMiniprogram.CustomEvent<{ value: string[] }>) {
    this.fill({ tags: event.detail.value })
  },

  onComment(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.fill({ comment: event.detail.value })
  },

  onWay(event: WechatMiniprogram.TouchEvent) {
    this.fill({ realName: event.currentTarget.dataset.real === 'yes' })
  },

  onName(event: WechatMiniprogram.Input) {
    this.fill({ name: event.detail.value })
  },

  onPhone(event: WechatMiniprogram.Input) {
    this.fill({ phone: event.detail.value })
  },

  onRemember() {
    this.setData({ remember: !this.data.remember })
    this.fill({})
  },

  agree() {
    wx.setStorageSync('agreed', true)
    this.fill({ agreed: true })
  },

  /** A bad one is asked once more, as on the web page. */
  press() {
    const told = missing(this.data.form)
    this.setData({ told }, told ? showError : undefined)
    if (told) return
    if (!this.data.bad) return void this.submit()
    const confirming = rowsToConfirm(this.data.form, this.data.receipt, this.data.tagsShown)
    this.setData({ step: 'confirm', confirming }, showTop)
  },

  async submit() {
    await this.deliver(() => submit(this.code, this.form(), this.data.remember))
  },

  async again() {
    await this.deliver(() => send(this.code))
  },

  edit() {
    recall(this.code)
    this.setData({ step: 'form', told: '' }, showTop)
  },

  async deliver(sending: () => Promise<ReviewTaken>) {
    if (this.data.busy) return
    this.setData({ busy: true })
    try {
      await sending()
    } catch (thrown) {
      this.notSent(asRefused(thrown))
    }
    this.setData({ busy: false })
  },

  notSent(refused: Refused) {
    const over = { already_reviewed: 'reviewed', review_closed: 'closed' }[refused.code] as State | undefined
    if (over) {
      drop(this.code)
      this.setData({ state: over }, showTop)
    } else {
      this.setData({ step: refused.passing ? 'unsent' : 'form', told: refused.told }, showError)
    }
  },

  thank(queryCode: string, asMine: boolean) {
    open('thanks', { queryCode, asMine }, true)
  },

  pressed() {
    open('pressure', { path: `/api/v1/e/${this.code}` })
  },

  disown() {
    open('objection', { code: this.code })
  },

  goHome() {
    void wx.reLaunch({ url: '/pages/scan/scan' })
  },

  onTurn(event: WechatMiniprogram.CustomEvent<{ large: boolean }>) {
    turnTo(this, event.detail.large)
  },
})
