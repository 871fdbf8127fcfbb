import { erase, exported } from '../../api/mine'
import { asRefused } from '../../api/request'
import { isLarge, turnTo } from '../../look'
import { words } from '../../words'

/** More than that is a burden on the page; the copy has all of it. */
const SHOWN = 20000

Page({
  data: { words, large: false, told: '', data: '', busy: false, erased: false, contract: '' },
  exported: '',

  onLoad() {
    wx.getPrivacySetting({
      success: ({ privacyContractName }) => this.setData({ contract: privacyContractName }),
    })
  },

  onShow() {
    this.setData({ large: isLarge() })
  },

  openContract() {
    wx.openPrivacyContract({ fail: () => this.setData({ told: '现在打不开，请稍后再试' }) })
  },

  async exportData() {
    await this.act(async () => {
      this.exported = JSON.stringify(await exported(), null, 2)
      const data = this.exported.slice(0, SHOWN) + (this.exported.length > SHOWN ? '…' : '')
      this.setData({ data, erased: false })
    })
  },

  copy() {
    wx.setClipboardData({ data: this.exported })
  },

  askErase() {
    wx.showModal({
      title: '删除我的信息？',
      content: '“我的评价”会清空，找不回来。评价和工单照常办理，但不再与您有任何联系；查询编码仍然有效，请先抄下。',
      confirmText: '删除',
      confirmColor: '#b3261e',
      success: ({ confirm }) => confirm && this.eraseData(),
    })
  },

  async eraseData() {
    await this.act(async () => {
      await erase()
      this.setData({ erased: true, data: '' })
    })
  },

  async act(acting: () => Promise<void>) {
    if (this.data.busy) return
    this.setData({ busy: true, told: '' })
    try {
      await acting()
    } catch (thrown) {
      this.setData({ told: asRefused(thrown).told })
    }
    this.setData({ busy: false })
  },

  onTurn(event: WechatMiniprogram.CustomEvent<{ large: boolean }>) {
    turnTo(this, event.detail.large)
  },
})
