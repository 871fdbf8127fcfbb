import { Choice } from '../../api/shapes'
import { words } from '../../words'

Component({
  properties: {
    place: { type: Number, value: 0 }, text: String, value: { type: String, value: '' },
    choices: { type: Array, value: [] as Choice[] },
  },
  data: { words },
  methods: {
    pick(event: WechatMiniprogram.TouchEvent) {
      const { place } = this.data as { place: number }
      this.triggerEvent('change', { place, answer: event.currentTarget.dataset.answer as string })
    },
  },
})
