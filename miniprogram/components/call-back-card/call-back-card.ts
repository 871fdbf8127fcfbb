import { words } from '../../words'

Component({
  properties: { question: String, told: String, busy: Boolean },
  data: { words, comment: '' },
  methods: {
    typed(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
      this.setData({ comment: event.detail.value })
    },
    yes() {
      this.triggerEvent('recall', { satisfied: true, comment: this.data.comment })
    },
    no() {
      this.triggerEvent('recall', { satisfied: false, comment: this.data.comment })
    },
  },
})
