import { LEVELS } from '../../words'

/** A line may end only before the word itself. */
const shown = LEVELS.map((each) => ({ ...each, broken: each.name.replace(/^(..)(不?满意)$/, '$1\u200b$2') }))

Component({
  properties: { value: { type: Number, value: 0 }, large: { type: Boolean, value: false } },
  data: { levels: shown },
  methods: {
    pick(event: WechatMiniprogram.TouchEvent) {
      this.triggerEvent('change', { value: event.currentTarget.dataset.level as number })
    },
  },
})
