import { back } from './api/network'
import { flush } from './api/outbox'

App({
  onLaunch() {
    wx.onNetworkStatusChange(({ isConnected }) => {
      if (!isConnected) return
      flush()
      back()
    })
    updateWhenReady()
  },

  onShow() {
    flush()
  },
})

function updateWhenReady(): void {
  const updates = wx.getUpdateManager()
  updates.onUpdateReady(() => {
    wx.showModal({
      title: '小程序有新版本',
      content: '重新打开后生效，没有发出的内容会保留。',
      confirmText: '重新打开',
      cancelText: '以后再说',
      success: ({ confirm }) => confirm && updates.applyUpdate(),
    })
  })
}
