import { draftOf } from '../../api/drafts'
import { whenBack } from '../../api/network'
import { open, opened } from '../../api/opened'
import { asRefused } from '../../api/request'
import { Matter } from '../../api/shapes'
import { wallAt } from '../../api/walls'
import { Row, wallRows } from '../../facts'
import { isLarge, turnTo } from '../../look'
import { words } from '../../words'

const FEW = 8
const EASY = 12

Page({
  data: {
    words, large: false, state: 'loading' as 'loading' | 'failed' | 'open', told: '', rows: [] as Row[],
    matters: [] as Matter[], shown: [] as Matter[], rest: 0, searchable: false, search: '', missing: '',
    chosen: '', caseNumber: '',
  },
  place: '',
  stop: () => {},

  async onLoad() {
    const found = opened('hall')
    this.place = found ? found.place : ''
    const draft = draftOf(this.place)
    if (draft && draft.sending) return open('review', { code: this.place }, true)
    this.stop = whenBack(() => this.data.state === 'failed' && void this.load())
    await this.load()
  },

  onShow() {
    this.setData({ large: isLarge() })
  },

  onUnload() {
    this.stop()
  },

  async load() {
    if (!this.data.rows.length) this.setData({ state: 'loading', told: '' })
    try {
      const wall = await wallAt(this.place, this.data.search.trim())
      const searchable = this.data.searchable || wall.matters.length > EASY
      const missing = wall.matters.length ? '' : this.data.search.trim()
      this.setData({ state: 'open', told: '', rows: wallRows(wall, null), searchable, missing })
      this.list(this.withChosen(wall.matters))
    } catch (thrown) {
      const { told } = asRefused(thrown)
      this.setData(this.data.rows.length ? { told } : { state: 'failed', told })
    }
  },

  /** What was chosen stays chosen when something else is searched for. */
  withChosen(matters: Matter[]): Matter[] {
    const kept = this.data.matters.filter((each) => each.code === this.data.chosen)
    return [...kept.filter((each) => !matters.some(({ code }) => code === each.code)), ...matters]
  },

  list(matters: Matter[], all = false) {
    const shown = all ? matters : matters.slice(0, FEW)
    this.setData({ matters, shown, rest: matters.length - shown.length })
  },

  more() {
    this.list(this.data.matters, true)
  },

  onSearch(event: WechatMiniprogram.Input) {
    this.setData({ search: event.detail.value })
  },

  onPick(event: WechatMiniprogram.TouchEvent) {
    this.setData({ chosen: event.currentTarget.dataset.code as string })
  },

  onCase(event: WechatMiniprogram.Input) {
    this.setData({ caseNumber: event.detail.value })
  },

  next() {
    const { chosen, matters, caseNumber } = this.data
    const matter = matters.find((each) => each.code === chosen)
    const about = { matter_code: chosen, case_number: caseNumber.trim(), name: matter ? matter.name : '' }
    open('review', { code: this.place, about })
  },

  onTurn(event: WechatMiniprogram.CustomEvent<{ large: boolean }>) {
    turnTo(this, event.detail.large)
  },
})
