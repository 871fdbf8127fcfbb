Component({
  properties: { state: { type: String, value: 'loading' }, told: String },
  methods: {
    retry() {
      this.triggerEvent('retry')
    },
  },
})
