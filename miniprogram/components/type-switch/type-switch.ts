import { words } from '../../words'

Component({
  properties: { large: { type: Boolean, value: false } },
  data: { words },
  methods: {
    turn() {
      this.triggerEvent('turn', { large: !this.data.large })
    },
  },
})
