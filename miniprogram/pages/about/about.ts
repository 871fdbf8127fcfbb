import { chooseType, isLarge, TypeChoice, typeChoice } from '../../look'
import { words } from '../../words'

const TYPES: { choice: TypeChoice; name: string }[] = [
  { choice: 'system', name: '跟随微信的字体大小' },
  { choice: 'large', name: words.large },
  { choice: 'standard', name: words.standard },
]

Page({
  data: { words, large: false, types: TYPES, choice: 'system' as TypeChoice, version: '' },

  onLoad() {
    this.setData({ version: wx.getAccountInfoSync().miniProgram.version })
  },

  onShow() {
    this.setData({ large: isLarge(), choice: typeChoice() })
  },

  onType(event: WechatMiniprogram.TouchEvent) {
    chooseType(event.currentTarget.dataset.choice as TypeChoice)
    this.onShow()
  },

  call() {
    wx.makePhoneCall({ phoneNumber: '12345', fail: () => undefined })
  },
})
