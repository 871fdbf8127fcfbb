import { open, opened } from '../../api/opened'
import { asRefused, get, newKey, post } from '../../api/request'
import { Disowned, Invitation, ProofAsked } from '../../api/shapes'
import { receiptRows, Row } from '../../facts'
import { isLarge, showError, showTop, turnTo } from '../../look'
import { words } from '../../words'

const AGREE_FIRST = '核对要填写手机号，请先看《隐私说明》并同意'

Page({
  data: {
    words, large: false, state: 'loading' as 'loading' | 'failed' | 'form', told: '', busy: false,
    receipt: [] as Row[], agreed: false, asked: false, minutes: 0, phone: '', proof: '',
  },
  code: '',
  said: { what: '', key: '' },

  async onLoad() {
    const found = opened('objection')
    this.code = found ? found.code : ''
    await this.load()
  },

  onShow() {
    this.setData({ large: isLarge(), agreed: wx.getStorageSync<boolean | ''>('agreed') === true })
  },

  async load() {
    this.setData({ state: 'loading', told: '' })
    try {
      const { receipt } = await get<Invitation>(`/api/v1/e/${this.code}`)
      this.setData({ state: 'form', receipt: receiptRows(receipt) })
    } catch (thrown) {
      this.setData({ state: 'failed', told: asRefused(thrown).told })
    }
  },

  agree() {
    wx.setStorageSync('agreed', true)
    this.setData({ agreed: true, told: '' })
  },

  onPhone(event: WechatMiniprogram.Input) {
    this.setData({ phone: event.detail.value })
  },

  onProof(event: WechatMiniprogram.Input) {
    this.setData({ proof: event.detail.value })
  },

  /** Each press is a wish of its own: a key that stays would be answered without a message. */
  async ask() {
    await this.says({ phone: this.data.phone.trim() }, newKey(), (answer: ProofAsked) => {
      this.setData({ asked: true, minutes: Math.round(answer.valid_seconds / 60) }, showTop)
    })
  },

  async prove() {
    const body = { phone: this.data.phone.trim(), proof: this.data.proof.trim() }
    await this.says(body, this.keyFor(body), (answer: Disowned) => {
      open('review', { code: answer.review_code }, true)
    })
  },

  async says<T>(body: object, key: string, done: (answer: T) => void) {
    if (this.data.busy) return
    if (!this.data.agreed) return this.setData({ told: AGREE_FIRST }, showError)
    this.setData({ busy: true, told: '' })
    try {
      done(await post<T>(`/api/v1/e/${this.code}/objection`, body, key))
    } catch (thrown) {
      this.notDone(asRefused(thrown))
    }
    this.setData({ busy: false })
  },

  /** One was sent a moment ago, perhaps from another page: it can be typed in here. */
  notDone(refused: { code: string; told: string }) {
    const asked = this.data.asked || refused.code === 'proof_too_soon'
    this.setData({ asked, minutes: this.data.minutes || 10, told: refused.told }, showError)
  },

  keyFor(body: object): string {
    const what = JSON.stringify(body)
    if (this.said.what !== what) this.said = { what, key: newKey() }
    return this.said.key
  },

  onTurn(event: WechatMiniprogram.CustomEvent<{ large: boolean }>) {
    turnTo(this, event.detail.large)
  },
})
