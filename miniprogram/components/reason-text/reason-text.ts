import { COMMENT_LIMIT } from '../../words'

Component({
  properties: { label: String, value: String },
  data: { limit: COMMENT_LIMIT, count: 0 },
  observers: {
    value(value: string) {
      this.setData({ count: Array.from(value).length })
    },
  },
  methods: {
    typed(event: WechatMiniprogram.Input) {
      this.triggerEvent('change', { value: event.detail.value })
    },
  },
})
