import { words } from '../../words'

Component({
  properties: { answer: String, told: String, busy: Boolean, desk: String },
  data: { words, comment: '', deskSatisfied: null as boolean | null },
  methods: {
    typed(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
      this.setData({ comment: event.detail.value })
    },
    onDesk(event: WechatMiniprogram.TouchEvent) {
      this.setData({ deskSatisfied: event.currentTarget.dataset.satisfied === 'yes' })
    },
    content() {
      this.say(true)
    },
    notContent() {
      this.say(false)
    },
    say(satisfied: boolean) {
      const { comment, deskSatisfied } = this.data as { comment: string; deskSatisfied: boolean | null }
      this.triggerEvent('verdict', { satisfied, comment, deskSatisfied })
    },
  },
})
