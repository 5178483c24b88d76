# frozen_string_literal: true

class GoodHandler
  def process(_task, _sequence, _step)
    "second"
  end

  private

  def answer
    "second"
  end
end
