import { halves } from '../../api/codes'
import { whenBack } from '../../api/network'
import { open, opened } from '../../api/opened'
import { asRefused, get, newKey, post } from '../../api/request'
import { Pressure, Tag } from '../../api/shapes'
import { pressureRows, Row } from '../../facts'
import { isLarge, showError, showTop, turnTo } from '../../look'
import { day } from '../../when'
import { HOW, REFUSALS, words } from '../../words'

const TAGS: Tag[] = HOW.map(({ code, name }) => ({ code, text: name, primary: true }))

Page({
  data: {
    words, large: false, state: 'form' as 'form' | 'loading' | 'failed' | 'followed', told: '', busy: false,
    tags: TAGS, how: [] as string[], text: '', halves: ['', ''], checked: false, result: '', until: '',
    rows: [] as Row[],
  },
  /** The slip's address or the review's, from where he came. */
  path: '',
  queryCode: '',
  said: { what: '', key: '' },
  stop: () => {},

  async onLoad() {
    const found = opened('pressure')
    this.path = (found && found.path) || ''
    this.queryCode = (found && found.queryCode) || ''
    this.stop = whenBack(() => this.data.state === 'failed' && this.load())
    if (this.queryCode) await this.load()
  },

  onShow() {
    this.setData({ large: isLarge() })
  },

  onUnload() {
    this.stop()
  },

  onHow(event: WechatMiniprogram.CustomEvent<{ value: string[] }>) {
    this.setData({ how: event.detail.value, told: '' })
  },

  onText(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.setData({ text: event.detail.value, told: '' })
  },

  /** What was typed stays until the server has it. */
  async send() {
    const { how, text, busy } = this.data
    if (busy) return
    if (!how.length && !text.trim()) return this.setData({ told: REFUSALS.how_required }, showError)
    const body = { how, words: text }
    this.setData({ busy: true, told: '' })
    try {
      const taken = await post<{ query_code: string }>(`${this.path}/pressure`, body, this.keyFor(body))
      this.queryCode = taken.query_code
      open('pressure', { queryCode: taken.query_code }, true)
    } catch (thrown) {
      this.setData({ told: asRefused(thrown).told }, showError)
    }
    this.setData({ busy: false })
  },

  keyFor(body: object): string {
    const what = JSON.stringify(body)
    if (this.said.what !== what) this.said = { what, key: newKey() }
    return this.said.key
  },

  async load() {
    this.setData({ state: 'loading', told: '', halves: halves(this.queryCode) })
    try {
      const found = await get<Pressure>(`/api/v1/pressure/${this.queryCode}`)
      const checked = found.state !== 'received'
      this.setData({
        state: 'followed', checked, result: found.words, rows: pressureRows(found),
        until: checked ? '' : day(found.due_at),
      }, showTop)
    } catch (thrown) {
      this.setData({ state: 'failed', told: asRefused(thrown).told })
    }
  },

  copy() {
    wx.setClipboardData({ data: this.queryCode })
  },

  onTurn(event: WechatMiniprogram.CustomEvent<{ large: boolean }>) {
    turnTo(this, event.detail.large)
  },
})
