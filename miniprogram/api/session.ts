// The silent login: one at a time, whoever asks. Nothing but the history needs it.
import { Refused } from './refused'
import { once } from './wire'

const KEPT = 'token'
let logging: Promise<string> | null = null

/** The token we have, without asking anybody for one. */
export function known(): string {
  return wx.getStorageSync<string>(KEPT) || ''
}

export function login(): Promise<string> {
  if (!logging) {
    logging = anew().then(
      (token) => ((logging = null), token),
      (thrown) => {
        logging = null
        throw thrown
      },
    )
  }
  return logging
}

/** A token that is not the one just refused; whoever comes late takes what the first one fetched. */
export function renewed(refused: string): Promise<string> {
  const token = known()
  if (token && token !== refused) return Promise.resolve(token)
  wx.removeStorageSync(KEPT)
  return login()
}

export function forget(): void {
  wx.removeStorageSync(KEPT)
}

async function anew(): Promise<string> {
  const code = await wxCode()
  const answer = await once<{ access_token: string }>({
    method: 'POST', path: '/api/v1/wechat/login', body: { code },
  })
  wx.setStorageSync(KEPT, answer.access_token)
  return answer.access_token
}

function wxCode(): Promise<string> {
  return new Promise((done, failed) => {
    wx.login({
      timeout: 5000,
      success: ({ code }) => (code ? done(code) : failed(new Refused('login'))),
      fail: () => failed(new Refused('login')),
    })
  })
}
