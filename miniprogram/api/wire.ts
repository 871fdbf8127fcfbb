// One call to the server: time-out, token, key. Nothing else speaks to the network.
import { BASE } from '../settings'
import { Refused, refusalOf } from './refused'

const TIMEOUT = 8000

export interface Call {
  method: 'GET' | 'POST'
  path: string
  body?: object
  key?: string
  token?: string
}

export function once<T>(call: Call): Promise<T> {
  return new Promise((done, failed) => {
    wx.request({
      url: BASE + call.path,
      method: call.method,
      data: call.body as WechatMiniprogram.IAnyObject | undefined,
      header: headers(call),
      timeout: TIMEOUT,
      success: ({ statusCode, data }) =>
        statusCode >= 200 && statusCode < 300 ? done(data as T) : failed(refusalOf(statusCode, data)),
      fail: ({ errMsg }) => failed(new Refused(/time\s?out/i.test(errMsg) ? 'slow' : 'offline')),
    })
  })
}

function headers(call: Call): Record<string, string> {
  const found: Record<string, string> = {}
  if (call.body) found['content-type'] = 'application/json'
  if (call.key) found['Idempotency-Key'] = call.key
  if (call.token) found.Authorization = `Bearer ${call.token}`
  return found
}
