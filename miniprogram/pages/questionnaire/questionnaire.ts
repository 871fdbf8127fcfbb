import { whenBack } from '../../api/network'
import { open, opened } from '../../api/opened'
import { asRefused, get, newKey, post } from '../../api/request'
import { Questionnaire } from '../../api/shapes'
import { isLarge, showError, showTop, turnTo } from '../../look'
import { moment } from '../../when'
import { REFUSALS, words } from '../../words'

const EMPTY: Questionnaire = {
  matter: '', questions: [], choices: [], open_question: '', version: '', open_until: '',
}

Page({
  data: {
    words, large: false, state: 'loading' as 'loading' | 'failed' | 'form' | 'answered', told: '', busy: false,
    asked: EMPTY, answers: [] as string[], comment: '', openUntil: '',
  },
  queryCode: '',
  said: { what: '', key: '' },
  stop: () => {},

  async onLoad() {
    const found = opened('questionnaire')
    this.queryCode = found ? found.queryCode : ''
    this.stop = whenBack(() => this.data.state === 'failed' && this.load())
    await this.load()
  },

  onShow() {
    this.setData({ large: isLarge() })
  },

  onUnload() {
    this.stop()
  },

  path(): string {
    return `/api/v1/track/${this.queryCode}/questionnaire`
  },

  async load() {
    this.setData({ state: 'loading', told: '' })
    try {
      const asked = await get<Questionnaire>(this.path())
      this.setData({
        state: 'form', asked, answers: asked.questions.map(() => ''), openUntil: moment(asked.open_until),
      })
    } catch (thrown) {
      const refused = asRefused(thrown)
      const answered = refused.code === 'already_answered'
      this.setData({ state: answered ? 'answered' : 'failed', told: refused.told })
    }
  },

  onAnswer(event: WechatMiniprogram.CustomEvent<{ place: number; answer: string }>) {
    const { place, answer } = event.detail
    this.setData({ answers: this.data.answers.map((old, each) => (each === place ? answer : old)), told: '' })
  },

  onComment(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.setData({ comment: event.detail.value, told: '' })
  },

  async send() {
    const { answers, comment, asked, busy } = this.data
    if (busy) return
    if (!answers.some(Boolean) && !comment.trim()) return this.setData({ told: REFUSALS.answer_required }, showError)
    const body = { version: asked.version, answers: answers.map((answer) => answer || null), comment }
    this.setData({ busy: true, told: '' })
    try {
      await post(this.path(), body, this.keyFor(body), 'known')
      this.setData({ state: 'answered' }, showTop)
    } catch (thrown) {
      await this.notSent(asRefused(thrown))
    }
    this.setData({ busy: false })
  },

  /** The same answers pressed again are the same act: the first may have got through unseen. */
  keyFor(body: object): string {
    const said = JSON.stringify(body)
    if (this.said.what !== said) this.said = { what: said, key: newKey() }
    return this.said.key
  },

  async notSent(refused: { code: string; told: string }) {
    if (refused.code === 'already_answered') return this.setData({ state: 'answered' }, showTop)
    if (refused.code === 'questionnaire_changed') await this.load()
    this.setData({ told: refused.told }, showError)
  },

  goBack() {
    void wx.navigateBack({ fail: () => open('track', { queryCode: this.queryCode }, true) })
  },

  onTurn(event: WechatMiniprogram.CustomEvent<{ large: boolean }>) {
    turnTo(this, event.detail.large)
  },
})
