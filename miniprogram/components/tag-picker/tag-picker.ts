import { Tag } from '../../api/shapes'
import { words } from '../../words'

Component({
  properties: { tags: { type: Array, value: [] as Tag[] }, value: { type: Array, value: [] as string[] } },
  data: { words, shown: [] as (Tag & { on: boolean })[], rest: 0, all: false },
  observers: {
    'tags, value': function () {
      this.sort()
    },
  },
  methods: {
    /** The primary ones, and all once one of the others is chosen or asked for. */
    sort() {
      const { tags, value, all } = this.data as { tags: Tag[]; value: string[]; all: boolean }
      const everything = all || tags.some((tag) => !tag.primary && value.includes(tag.code))
      const shown = tags.filter((tag) => everything || tag.primary)
      this.setData({
        shown: shown.map((tag) => ({ ...tag, on: value.includes(tag.code) })),
        rest: tags.length - shown.length,
      })
    },
    more() {
      this.setData({ all: true })
      this.sort()
    },
    pick(event: WechatMiniprogram.TouchEvent) {
      const code = event.currentTarget.dataset.code as string
      const value = this.data.value as string[]
      const chosen = value.includes(code) ? value.filter((other) => other !== code) : [...value, code]
      this.triggerEvent('change', { value: chosen })
    },
  },
})
