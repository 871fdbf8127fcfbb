// 订阅消息: asked for by a tap of its own, never on the way to a review.
import { claimPending } from './mine'
import { get, newKey, post } from './request'
import { known } from './session'
import { Grant, Listed } from './shapes'

/** WeChat asks for three at most. */
const MOST = 3

/** Ids of the templates that the city has; none for one whom we do not know. */
export async function offered(): Promise<string[]> {
  await claimPending()
  if (!known()) return []
  const { items } = await get<Listed<Grant>>('/api/v1/me/grants', 'citizen')
  return items.map((grant) => grant.template_id || '').filter(Boolean).slice(0, MOST)
}

/** WeChat allows the question only directly in the tap: nothing may be awaited before it. */
export function ask(ids: string[]): Promise<boolean> {
  return new Promise((done, failed) => {
    wx.requestSubscribeMessage({
      tmplIds: ids,
      success: (answer) => tell(ids, answer as unknown as Record<string, string>).then(done, failed),
      fail: () => done(false),
    })
  })
}

async function tell(ids: string[], answer: Record<string, string>): Promise<boolean> {
  const given = ids.filter((id) => answer[id])
  await Promise.all(given.map((id) =>
    post('/api/v1/me/grants', { template: id, answer: answer[id] }, newKey(), 'citizen'),
  ))
  return given.some((id) => answer[id] === 'accept')
}
