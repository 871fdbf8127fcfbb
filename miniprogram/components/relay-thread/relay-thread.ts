import { Message } from '../../api/shapes'
import { moment } from '../../when'
import { words } from '../../words'

Component({
  properties: {
    messages: { type: Array, value: [] as Message[] }, open: Boolean, asked: Boolean, told: String, busy: Boolean,
    value: String,
  },
  data: { words, rows: [] as object[] },
  observers: {
    messages(messages: Message[]) {
      this.setData({
        rows: messages.map((message, place) => ({
          place, words: message.words, when: moment(message.at), mine: message.from === 'citizen',
        })),
      })
    },
  },
  methods: {
    typed(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
      this.triggerEvent('change', { value: event.detail.value })
    },
    send() {
      this.triggerEvent('send')
    },
  },
})
