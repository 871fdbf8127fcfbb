// Large type: the citizen's own choice, or else what he set in WeChat (关怀模式 is about 1.4 times).
export type TypeChoice = 'system' | 'large' | 'standard'

const KEPT = 'type'
const LARGE_FROM = 1.2
const NORMAL_SIZE = 16

export function typeChoice(): TypeChoice {
  return wx.getStorageSync<TypeChoice | ''>(KEPT) || 'system'
}

export function chooseType(choice: TypeChoice): void {
  wx.setStorageSync(KEPT, choice)
}

export function isLarge(): boolean {
  const choice = typeChoice()
  return choice === 'system' ? systemScale() >= LARGE_FROM : choice === 'large'
}

/** Older base libraries know only the size, the oldest neither. */
function systemScale(): number {
  if (!wx.canIUse('getAppBaseInfo')) return 1
  const { fontSizeScaleFactor, fontSizeSetting } = wx.getAppBaseInfo()
  return fontSizeScaleFactor || (fontSizeSetting || NORMAL_SIZE) / NORMAL_SIZE
}

/** What every page does when its switch is turned. */
export function turnTo(page: { setData(data: { large: boolean }): void }, large: boolean): void {
  chooseType(large ? 'large' : 'standard')
  page.setData({ large })
}

/** The next step is read from its beginning. */
export function showTop(): void {
  void wx.pageScrollTo({ scrollTop: 0, duration: 0 })
}

/** Called once it stands on the page. */
export function showError(): void {
  void wx.pageScrollTo({ selector: '.error', offsetTop: -80, duration: 0, fail: () => undefined })
}
