# frozen_string_literal: true

class HalfLoaded
  def process(*); end
end

def boom
  raise KeyError, "no such setting"
end
boom
