import { words } from '../../words'

Component({
  properties: { answer: String, told: String, busy: Boolean },
  data: { words, comment: '' },
  methods: {
    typed(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
      this.setData({ comment: event.detail.value })
    },
    content() {
      this.triggerEvent('verdict', { satisfied: true, comment: this.data.comment })
    },
    notContent() {
      this.triggerEvent('verdict', { satisfied: false, comment: this.data.comment })
    },
  },
})
