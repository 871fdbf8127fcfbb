import { Step } from '../../api/shapes'
import { moment } from '../../when'
import { ANSWERED } from '../../words'

Component({
  properties: { steps: { type: Array, value: [] as Step[] } },
  data: { rows: [] as object[] },
  observers: {
    steps(steps: Step[]) {
      this.setData({
        rows: steps.map((step, place) => ({
          ...step, place, when: moment(step.at), answer: step.what === ANSWERED, last: place === steps.length - 1,
        })),
      })
    },
  },
})
