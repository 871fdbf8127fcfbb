// A small wx.*: what the mini-program uses and nothing else. Anything else is written down and undefined.
const KEPT = 'mp:'

const immediate = {
  getAppBaseInfo: () => ({ SDKVersion: '3.8.0', fontSizeScaleFactor: 1, fontSizeSetting: 16, ...handled('getAppBaseInfo') }),
  getAccountInfoSync: () => ({ miniProgram: { appId: 'wxtest', envVersion: 'develop', version: '1.0.0' } }),
  getUpdateManager: () => ({ onUpdateReady() {}, applyUpdate() {} }),
  canIUse: (name) => name in immediate || name in answering,
  onNetworkStatusChange(listener) {
    addEventListener('online', () => listener({ isConnected: true, networkType: 'wifi' }))
    addEventListener('offline', () => listener({ isConnected: false, networkType: 'none' }))
  },
  getStorageSync(key) {
    const kept = localStorage.getItem(KEPT + key)
    return kept === null ? '' : JSON.parse(kept)
  },
  setStorageSync: (key, value) => localStorage.setItem(KEPT + key, JSON.stringify(value)),
  removeStorageSync: (key) => localStorage.removeItem(KEPT + key),
  getStorageInfoSync: () => ({
    keys: Object.keys(localStorage).filter((key) => key.startsWith(KEPT)).map((key) => key.slice(KEPT.length)),
  }),
}

const answering = {
  async request({ url, method, data, header, timeout }) {
    const { pathname, search } = new URL(url)
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(), __mp.kept.timeout || timeout)
    try {
      const body = data === undefined || method === 'GET' ? undefined : JSON.stringify(data)
      const answer = await fetch(pathname + search, { method, headers: header, body, signal: stop.signal })
      const text = await answer.text()
      return { statusCode: answer.status, data: asJson(text), header: Object.fromEntries(answer.headers) }
    } catch {
      throw { errMsg: stop.signal.aborted ? 'timeout' : 'fail net::ERR_FAILED' }
    } finally {
      clearTimeout(timer)
    }
  },
  login: () => ({ code: 'demo:somebody' }),
  scanCode: () => { throw { errMsg: 'cancel' } },
  requestSubscribeMessage: ({ tmplIds }) => Object.fromEntries(tmplIds.map((id) => [id, 'accept'])),
  getPrivacySetting: () => ({ needAuthorization: false, privacyContractName: '《用户隐私保护指引》' }),
  openPrivacyContract: () => ({}),
  setClipboardData({ data }) { __mp.kept.clipboard = data },
  showToast: ({ title }) => toast(title),
  showModal: modal,
  makePhoneCall: () => ({}),
  pageScrollTo({ scrollTop, selector, offsetTop = 0 }) {
    const found = selector && __mp.stack.at(-1).element.querySelector(selector)
    if (selector && !found) throw { errMsg: `no ${selector}` }
    scrollTo(0, found ? found.getBoundingClientRect().top + scrollY + offsetTop : scrollTop)
  },
  stopPullDownRefresh: () => ({}),
  navigateTo: ({ url }) => __mp.push(url.slice(1), {}),
  redirectTo({ url }) {
    __mp.pop(1)
    __mp.push(url.slice(1), {})
  },
  reLaunch({ url }) {
    __mp.pop(__mp.stack.length)
    __mp.push(url.slice(1), {})
  },
  navigateBack() {
    __mp.pop(1)
    __mp.show()
  },
}

function asJson(text) {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function handled(name, given) {
  const handler = __mp.handlers[name]
  return typeof handler === 'function' ? handler(given) : handler
}

/** With callbacks it answers through them, without it is a promise, as in WeChat. */
function answer(name, given = {}) {
  const act = async () => {
    __mp.calls.push([name, JSON.parse(JSON.stringify(given))])
    return { errMsg: `${name}:ok`, ...(handled(name, given) ?? (await answering[name](given))) }
  }
  const { success, fail, complete } = given
  if (!success && !fail && !complete) return act()
  act().then(
    (result) => (success?.(result), complete?.(result)),
    (error) => {
      const told = { ...error, errMsg: `${name}:fail ${error.errMsg || error.message}` }
      fail?.(told)
      complete?.(told)
    },
  ).catch((error) => __mp.errors.push(String(error.stack || error)))
  return undefined
}

function toast(title) {
  document.querySelector('.mp-toast')?.remove()
  const shown = document.body.appendChild(document.createElement('div'))
  shown.className = 'mp-toast'
  shown.setAttribute('role', 'status')
  shown.textContent = title
  setTimeout(() => shown.remove(), 1500)
}

function modal({ title, content, confirmText = '确定', cancelText = '取消' }) {
  return new Promise((done) => {
    const shown = document.body.appendChild(document.createElement('div'))
    shown.className = 'mp-modal'
    shown.setAttribute('role', 'dialog')
    const box = shown.appendChild(document.createElement('div'))
    for (const [tag, text] of [['b', title], ['p', content]]) box.appendChild(document.createElement(tag)).textContent = text
    for (const [text, confirm] of [[cancelText, false], [confirmText, true]]) {
      const button = box.appendChild(document.createElement('button'))
      button.textContent = text
      button.onclick = () => {
        shown.remove()
        done({ confirm, cancel: !confirm })
      }
    }
  })
}

export const wx = new Proxy({}, {
  get(_, name) {
    if (name in immediate) return immediate[name]
    if (name in answering) return (given) => answer(name, given)
    if (typeof name === 'string') __mp.errors.push(`wx.${name} is not known to the harness`)
    return undefined
  },
})
